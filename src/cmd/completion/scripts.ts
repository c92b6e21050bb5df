/** Scripts that ask the program itself what may follow: they need not know its commands. */

const BASH = `_nunet() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(nunet __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _nunet nunet
`

const ZSH = `#compdef nunet
_nunet() {
  local -a found
  found=("\${(@f)$(nunet __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found || _files
}
compdef _nunet nunet
`

export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH }
