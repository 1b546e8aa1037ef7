/** What built files must not contain: helpers that a build step puts in the place of syntax which every supported Node.js has. */

/** A lowered `?.` makes an array and a closure or two each time it is passed; the hot path then takes almost twice as long. */
const helpers = ['_optionalChain', '_nullishCoalesce', '__privateGet', '__privateSet', '__privateMethod', '__async', '__spreadValues'];

export function faultsOfBuilt(file: string, code: string): readonly string[] {
  const found = helpers.flatMap((helper) => {
    const times = code.split(`${helper}(`).length - 1;
    return times > 0 ? [`${helper} (${times} times)`] : [];
  });
  return found.length > 0 ? [`${file} was built for an older Node.js than the packages ask for: it calls ${found.join(', ')}`] : [];
}
