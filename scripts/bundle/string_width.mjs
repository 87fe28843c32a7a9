/** In the place of the package of this name, for yargs' help: columns that ASCII text takes. */
export default function stringWidth(text) {
  return text.length;
}
