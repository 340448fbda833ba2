/**
 * uPlot makes a number format of `navigator.language` as it is imported, and throws where that is not a valid
 * tag (Chromium under LANG=C says `en-US@posix`). To be imported before uPlot.
 */
function valid(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
}

if (!valid(navigator.language)) Object.defineProperty(navigator, "language", { value: "en", configurable: true });
