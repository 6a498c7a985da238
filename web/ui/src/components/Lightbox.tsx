import { useCallback, useEffect, useRef, useState } from "react";

import { type Details, type Picture, asset } from "../api/client";
import { useAnswer } from "../hooks/useAnswer";
import { Facts } from "./Facts";
import { Icon } from "./Icon";
import { Said } from "./Said";
import { describe } from "./Tile";
import type { Hung } from "./Wall";

interface Props {
  id: number;
  /** The search, whose words are marked where they stand on the picture. */
  sought: string;
  /** What the arrows walk through. */
  hung: readonly Hung[];
  /** Whether this browser may say something of it. */
  owner: boolean;
  onSaid: () => void;
  onShow: (id: number) => void;
  onClose: () => void;
}

const ask = (key: string, signal: AbortSignal) => {
  const gap = key.indexOf(" ");
  return asset(Number(key.slice(0, gap)), key.slice(gap + 1), signal);
};

/** One asset, large, with everything known of it. A modal dialog: the browser keeps the focus in and Esc closes it. */
export function Lightbox({ id, sought, hung, owner, onSaid, onShow, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [round, setRound] = useState(0);
  const { data, error } = useAnswer(`${id} ${sought}`, ask, round);
  const details = data?.picture.id === id ? data : null;
  const at = hung.findIndex(({ picture }) => picture.id === id);
  const before = at > 0 ? hung[at - 1] : undefined;
  const after = at >= 0 ? hung[at + 1] : undefined;
  const here = at >= 0 ? hung[at] : undefined;
  const picture = here?.picture ?? details?.picture;

  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.focus(); // not the first control in it: a video would take the arrows for itself
  }, []);

  useEffect(() => {
    for (const near of [after, before]) {
      if (near?.picture.preview) new Image().src = near.picture.preview;
    }
  }, [after, before]);

  const turn = useCallback(
    (to: Hung | undefined) => {
      if (to) onShow(to.picture.id);
    },
    [onShow],
  );

  // On the document: a button that is disabled at the last picture loses the focus, and keys must go on working.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { target } = event;
      if (target instanceof HTMLVideoElement || target instanceof HTMLInputElement) return;
      if (event.key === "ArrowRight") turn(after);
      else if (event.key === "ArrowLeft") turn(before);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [turn, after, before]);

  return (
    <dialog
      ref={dialog}
      className="lightbox"
      tabIndex={-1}
      aria-label={picture ? describe(picture) : "Picture"}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="stage">
        {picture && (
          <Shown
            key={id}
            picture={picture}
            text={details?.text ?? null}
            marks={details?.marks ?? []}
          />
        )}
        <button
          type="button"
          className="turn back"
          aria-label="Previous"
          disabled={!before}
          onClick={() => turn(before)}
        >
          <Icon shape="left" />
        </button>
        <button
          type="button"
          className="turn on"
          aria-label="Next"
          disabled={!after}
          onClick={() => turn(after)}
        >
          <Icon shape="right" />
        </button>
      </div>
      <aside>
        <header>
          <h2>{picture?.name ?? "Picture"}</h2>
          <button type="button" className="quiet round" aria-label="Close" onClick={onClose}>
            <Icon shape="close" />
          </button>
        </header>
        {here && here.reasons.length > 0 && (
          <ul className="reasons" aria-label="Why it was found">
            {here.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        )}
        {details && owner && (
          <Said
            key={id}
            details={details}
            onSaid={() => {
              setRound((last) => last + 1);
              onSaid();
            }}
          />
        )}
        {details && <Facts details={details} said={owner} />}
        {error && <p role="alert">{error.message}</p>}
        {picture && (
          <a className="button" href={picture.original} target="_blank" rel="noreferrer">
            <Icon shape="open" />
            Open the original
          </a>
        )}
      </aside>
    </dialog>
  );
}

interface ShownProps {
  picture: Picture;
  /** The beginning of a document. */
  text: string | null;
  marks: Details["marks"];
}

function Shown({ picture, text, marks }: ShownProps) {
  const [unplayable, setUnplayable] = useState(false);
  if (picture.kind === "video" && !unplayable) {
    return (
      // eslint-disable-next-line jsx-a11y/media-has-caption -- a household's own videos come without captions
      <video
        src={picture.original}
        poster={picture.preview ?? undefined}
        controls
        playsInline
        preload="metadata"
        onError={() => setUnplayable(true)}
      />
    );
  }
  if (picture.preview) {
    return (
      <div className="marked">
        <img src={picture.preview} alt={describe(picture)} />
        {marks.map(({ left, top, width, height }) => (
          <mark
            key={`${left} ${top}`}
            style={{
              left: `${left * 100}%`,
              top: `${top * 100}%`,
              width: `${width * 100}%`,
              height: `${height * 100}%`,
            }}
          />
        ))}
      </div>
    );
  }
  if (text) {
    return <p className="card page">{text}</p>;
  }
  return (
    <div className="card">
      <Icon shape={picture.kind === "document" ? "document" : "photo"} />
      <span>{picture.name}</span>
    </div>
  );
}
