/** A deployment that cannot be: the message names the value and what it has to be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
