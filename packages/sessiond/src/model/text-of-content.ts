/** What a message or reply says: its `text`, or its JSON where it has none. Not yet safe for a terminal. */
export function textOfContent(content: string): string {
  try {
    const parsed: unknown = JSON.parse(content)
    if (typeof parsed === 'object' && parsed !== null && 'text' in parsed && typeof parsed.text === 'string') {
      return parsed.text
    }
  } catch {
    // Not JSON: shown as it is rather than not at all.
  }
  return content
}
