/** Tells where an element is: in sight or not. */
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

/** Tells whether an element is below what is in sight. */
export function below(tell: (below: boolean) => void): Attachment<Element> {
  return (node) => sight((inSight) => tell(!inSight && node.getBoundingClientRect().top > 0))(node);
}
