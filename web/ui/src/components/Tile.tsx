import { type PointerEvent, useMemo, useState } from "react";
import { thumbHashToDataURL } from "thumbhash";

import type { Picture } from "../api/client";
import { duration, shortDate } from "../words/format";
import { Icon } from "./Icon";

/** A stored small thumbnail, enlarged by more than this, looks soft: take the large one. */
const SMALL_PX = 256;
const ENLARGED = 1.6;
/** Frames in the strip of a video (havenfs/extract/video.py). */
const MOMENTS = 12;

interface Props {
  picture: Picture;
  /** Why it is here; shown under it. */
  reasons: readonly string[];
  width: number;
  height: number;
  current: boolean;
  onOpen: () => void;
  onFocus: () => void;
}

export function describe(picture: Picture): string {
  return [picture.name, picture.taken && shortDate(picture.taken), picture.place]
    .filter(Boolean)
    .join(", ");
}

function placeholder(thumbhash: string): string {
  return thumbHashToDataURL(Uint8Array.from(atob(thumbhash), (c) => c.charCodeAt(0)));
}

export function Tile({ picture, reasons, width, height, current, onOpen, onFocus }: Props) {
  const [missing, setMissing] = useState(false);
  const blurred = useMemo(
    () => (picture.thumbhash ? `url(${placeholder(picture.thumbhash)})` : undefined),
    [picture.thumbhash],
  );
  const sharp = Math.max(width, height) * window.devicePixelRatio > SMALL_PX * ENLARGED;
  const [moment, setMoment] = useState<number | null>(null);
  const source = sharp ? picture.preview : picture.thumbnail;

  function scrub(event: PointerEvent<HTMLElement>) {
    if (event.pointerType === "touch") {
      return; // a finger scrolls
    }
    const { left, width: whole } = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - left) / whole;
    setMoment(Math.min(MOMENTS - 1, Math.max(0, Math.floor(share * MOMENTS))));
  }

  return (
    <figure className="tile" style={{ width }}>
      <button
        type="button"
        className="frame"
        style={{ height, backgroundImage: blurred }}
        tabIndex={current ? 0 : -1}
        data-asset={picture.id}
        aria-label={[`Open ${describe(picture)}`, ...reasons].join(". ")}
        onClick={onOpen}
        onFocus={onFocus}
        onPointerMove={picture.strip ? scrub : undefined}
        onPointerLeave={() => setMoment(null)}
      >
        {source && !missing ? (
          <img
            src={source}
            alt={describe(picture)}
            loading="lazy"
            decoding="async"
            draggable={false}
            onError={() => setMissing(true)}
          />
        ) : (
          <span className="card">
            <Icon shape={picture.kind === "document" ? "document" : "photo"} />
            <span>{picture.name}</span>
          </span>
        )}
        {picture.strip && moment !== null && (
          <span
            className="strip"
            style={{
              backgroundImage: `url("${picture.strip}")`,
              backgroundSize: `${MOMENTS * 100}% 100%`,
              backgroundPositionX: `${(moment / (MOMENTS - 1)) * 100}%`,
            }}
          />
        )}
        {picture.kind === "video" && (
          <span className="badge">
            <Icon shape="play" />
            {picture.duration_ms !== null && duration(picture.duration_ms)}
          </span>
        )}
        {picture.kind === "document" && source && !missing && (
          <span className="badge">
            <Icon shape="document" />
          </span>
        )}
      </button>
      {reasons.length > 0 && (
        <figcaption title={reasons.join(" · ")}>{reasons.join(" · ")}</figcaption>
      )}
    </figure>
  );
}
