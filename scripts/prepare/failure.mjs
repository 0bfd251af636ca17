/** A failure whose message says everything that a person needs; it is shown without a stack. */
export function failure(message) {
  return Object.assign(new Error(message), { forPeople: true });
}
