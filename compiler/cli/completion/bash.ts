/** Completion for bash: which words are offered depends on the command, the word before, and a dash. Else: files. */

import { dashed } from '../option-table.js';
import type { CommandLineDescription, DescribedOption } from './description.js';

export function bashScript({ program, commands, options }: CommandLineDescription): string {
  const names = commands.map(({ name }) => name);
  const perCommand = commands.map(
    ({ name, options: own, operands = [] }) => `    *:${name})
      options='${flagsOf(own)}'
      operands='${operands.join(' ')}'
${choiceCase(own)}      ;;
`,
  );
  return `# Completion of ${program} for bash. In ~/.bashrc: eval "$(${program} completion bash)"
_${program}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} options='' operands='' choices=''
  # bash takes --name=value apart into three words.
  if [[ $before == '=' ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $word == '=' ]]; then
    word=''
  fi
  case $COMP_CWORD:\${COMP_WORDS[1]} in
    1:*)
      options='${flagsOf(options)}'
      operands='${names.join(' ')}'
      ;;
${perCommand.join('')}    *)
      options='${flagsOf(options)}'
${choiceCase(options)}      ;;
  esac
  if [[ -n $choices ]]; then
    COMPREPLY=($(compgen -W "$choices" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif ((COMP_CWORD <= 2)); then
    COMPREPLY=($(compgen -W "$operands" -- "$word"))
  fi
}
complete -o default -F _${program} ${program}
`;
}

function flagsOf(options: readonly DescribedOption[]): string {
  return options.flatMap(({ names }) => names.map(dashed)).join(' ');
}

/** Sets `choices` behind an option whose values are known. */
function choiceCase(options: readonly DescribedOption[]): string {
  const arms = options
    .filter(({ choices }) => choices.length > 0)
    .map(({ names, choices }) => `        ${names.map(dashed).join(' | ')}) choices='${choices.join(' ')}' ;;\n`);
  return arms.length === 0 ? '' : `      case $before in\n${arms.join('')}      esac\n`;
}
