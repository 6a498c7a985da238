import { Fragment, useEffect, useRef, useState } from "react";

import { Icon } from "./Icon";

/** A folder of the tree, ready to paste into a file dialog. */
export function CopyPath({ path, label }: { path: string; label: string }) {
  const text = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), 2_000);
    return () => window.clearTimeout(timer);
  }, [copied]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(path);
      setCopied(true);
    } catch {
      // No clipboard here (an old browser, a denied permission): mark it, so that Ctrl-C takes it.
      if (text.current) window.getSelection()?.selectAllChildren(text.current);
    }
  };

  return (
    <span className="copypath">
      <Icon shape="folder" />
      <code ref={text} title={path}>
        {path.split(/(?<=\/)/).map((part, n) => (
          <Fragment key={n}>
            {part}
            <wbr />
          </Fragment>
        ))}
      </code>
      <button type="button" className="quiet" onClick={() => void copy()} aria-label={label}>
        <Icon shape={copied ? "check" : "copy"} />
        <span aria-live="polite">{copied ? "Copied" : "Copy"}</span>
      </button>
    </span>
  );
}
