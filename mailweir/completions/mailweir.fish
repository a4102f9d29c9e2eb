# Completion of mailweir for fish.
# In ~/.config/fish/config.fish: mailweir completion fish | source

function __mailweir_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] --complete $words[2..-1] "@$current" 2>/dev/null)
    switch "$found[1]"
        case :file
            __fish_complete_path "$current"
        case :folder
            __fish_complete_directories "$current" ""
        case '*'
            printf '%s\n' $found
    end
end

complete -c mailweir -f -a '(__mailweir_complete)'
