/** Tells when an element comes into sight or leaves it. */
import type { Attachment } from "svelte/attachments";

export function sight(tell: (inSight: boolean) => void): Attachment<Element> {
  return (node) => {
    const watch = new IntersectionObserver((entries) => tell(entries.at(-1)?.isIntersecting ?? false), {
      rootMargin: "80px",
    });
    watch.observe(node);
    return () => watch.disconnect();
  };
}
