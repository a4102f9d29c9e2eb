"""The Data Transformation Language: rules in JSON that make entities of entities. No I/O.

`parse` reads rules and finds every fault, `compile` makes closures of them, `program` runs them. What a function does
stands in `functions`, a file for each subject.
"""
