export { BnfixError } from './errors.js';
