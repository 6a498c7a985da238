import { type ReactNode, useLayoutEffect, useRef } from "react";

import { Icon } from "./Icon";

interface Props {
  /** Of the element, for styles; its heading gets `${name}-title`. */
  name: string;
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog with a heading. The browser keeps the focus in, Esc closes it, and the focus goes back to where it was. */
export function Panel({ name, title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);

  // A layout effect: closed while it still stands in the page, or nothing gives the focus back.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      className={`panel ${name}`}
      aria-labelledby={`${name}-title`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={`${name}-title`}>{title}</h2>
        <button type="button" className="quiet round" aria-label="Close" onClick={onClose}>
          <Icon shape="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
