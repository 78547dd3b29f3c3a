/** Completion for zsh: its own `_arguments`, which shows descriptions, too. */

import { dashed } from '../option-table.js';
import type { CommandLineDescription, DescribedOption } from './description.js';

export function zshScript({ program, commands, options }: CommandLineDescription): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${escaped(summary)}`)}`);
  const arms = commands.map(
    ({ name, options: own, operands }) => `    (${name})
      shift words
      ((CURRENT -= 1))
      _arguments ${specifications(own, operands).join(' \\\n        ')}
      ;;
`,
  );
  return `#compdef ${program}
# Completion of ${program} for zsh. In ~/.zshrc, behind compinit: eval "$(${program} completion zsh)"
_${program}() {
  local -a commands=(
${described.join('\n')}
  )
  if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
    _describe command commands
${options.length === 0 ? '    return\n' : '    _files\n    return\n'}  fi
  case $words[2] in
${arms.join('')}    (*)
      _arguments ${specifications(options, undefined).join(' \\\n        ')}
      ;;
  esac
}
if [[ $funcstack[1] == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}

function specifications(options: readonly DescribedOption[], operands: readonly string[] | undefined): string[] {
  return [
    ...options.flatMap(specificationsOf),
    ...(operands === undefined ? [] : [quoted(`1:operand:(${operands.join(' ')})`)]),
    quoted('*:file:_files'),
  ];
}

/** `'(-o --output)'{-o,--output}'[text]:value:_files'`, written out for each name. */
function specificationsOf({ names, description, takesValue, choices }: DescribedOption): string[] {
  const flags = names.map(dashed);
  const values = choices.length > 0 ? `(${choices.join(' ')})` : '_files';
  return flags.map((flag) => {
    const form = takesValue ? `${flag}${flag.startsWith('--') ? '=' : ''}` : flag;
    const others = flags.length > 1 ? `(${flags.join(' ')})` : '';
    return quoted(`${others}${form}[${escaped(description)}]${takesValue ? `:value:${values}` : ''}`);
  });
}

/** What has a meaning in a specification stands for itself behind a backslash. */
function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
