/** What a program calls itself (RFC 9110, 10.1.5), as short as people say it; the whole text where none is known. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg\/(\d+)/, "Edge"],
  [/\bOPR\/(\d+)/, "Opera"],
  [/\bFirefox\/(\d+)/, "Firefox"],
  [/Chrome\/(\d+)/, "Chrome"],
  // The service keeps 120 characters, which cut the last word off on phones.
  [/\bVersion\/(\d+)[\d.]* (?:Mobile|Safari)\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

export function agentName(agent: string): string {
  for (const [pattern, name] of PROGRAMS) {
    const version = pattern.exec(agent)?.[1];
    if (version === undefined || !agent.startsWith("Mozilla/")) continue;
    const system = SYSTEMS.find(([known]) => known.test(agent))?.[1];
    return [`${name} ${version}`, system].filter(Boolean).join(", ");
  }
  return agent || "unnamed";
}
