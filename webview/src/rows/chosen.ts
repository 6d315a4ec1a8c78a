// What a box holds that has just been changed.

export function chosenIn(event: Event): string {
  const target = event.currentTarget;
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? target.value : "";
}
