/** ` One of a, b.`, or of a list ` Any of a, b.`; nothing where every text will do. `quote`: how a choice is shown. */
export function choicesText(
  { type, choices }: { readonly type: string; readonly choices?: readonly string[] },
  quote: (choice: string) => string = (choice) => choice,
): string {
  return choices === undefined
    ? ''
    : ` ${type === 'list' ? 'Any' : 'One'} of ${choices.map(quote).join(', ')}.`;
}
