"""What `mailweir list` lists, as facts: components, where ids are named, values of references, types."""
