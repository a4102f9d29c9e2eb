# Completion of mailweir for bash.
# In ~/.bashrc: eval "$(mailweir completion bash)"

_mailweir() {
    local IFS=$'\n' words=() word last current prefix="" found

    # Bash cuts words at `=` and `:`; put them together again.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        last=$((${#words[@]} - 1))
        if [[ $last -ge 0 && ($word == [=:]* || ${words[$last]} == *[=:]) ]]; then
            words[$last]+=$word
        else
            words+=("$word")
        fi
    done
    last=$((${#words[@]} - 1))
    current=${words[$last]}
    words[$last]=@$current

    COMPREPLY=()
    found=($("${COMP_WORDS[0]}" --complete "${words[@]}" 2>/dev/null))
    case ${found[0]} in
        :file | :folder)
            compopt -o filenames 2>/dev/null
            if [[ ${found[0]} == :file ]]; then
                COMPREPLY=($(compgen -f -- "$current"))
            else
                COMPREPLY=($(compgen -d -- "$current"))
            fi
            return
            ;;
    esac

    # What stands before the last cut is on the line already.
    if [[ $current == *[=:]* ]]; then
        prefix=${current%"${current##*[=:]}"}
    fi
    for word in "${found[@]}"; do
        COMPREPLY+=("${word#"$prefix"}")
    done
}

complete -F _mailweir mailweir
