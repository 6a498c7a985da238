import type { Details } from "../api/client";
import { bytes, duration, longDate, shutter, time } from "../words/format";
import { CopyPath } from "./CopyPath";

const VIEWS: Record<string, string> = {
  "by-date": "Its month",
  places: "Its place",
  files: "The original",
};

function exposure({ focal_mm, aperture, exposure_s, iso }: Details): string {
  return [
    focal_mm && `${Math.round(focal_mm)} mm`,
    aperture && `f/${Number(aperture.toFixed(1))}`,
    exposure_s && shutter(exposure_s),
    iso && `ISO ${iso}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function when({ picture, taken_source }: Details): string | null {
  if (!picture.taken) return null;
  const date = longDate(picture.taken);
  return taken_source === "mtime"
    ? `${date}, by the file's date`
    : `${date}, ${time(picture.taken)}`;
}

/** City, region, country; a city that is its own region is named once. */
function place({ place: all }: Details): string | null {
  return all && [...new Set(all.split(", "))].join(", ");
}

/** A guess, said as one: where it was probably taken. */
function guess({ suggested_position: found }: Details): string | null {
  return found && `${found.place ?? `${found.latitude}, ${found.longitude}`}: ${found.reason}`;
}

interface Props {
  details: Details;
  /** Whether what people say of it stands elsewhere already. */
  said: boolean;
}

/** What is known of one asset. */
export function Facts({ details, said }: Props) {
  const { picture } = details;
  const rows: [string, string | null][] = [
    ["Date", when(details)],
    ["Place", place(details)],
    ["Probably", guess(details)],
    ["Camera", [details.camera, details.lens].filter(Boolean).join(", ")],
    ["Exposure", exposure(details)],
    ["Favorite", !said && details.favorite ? "Yes" : null],
    ["Rating", !said && details.rating ? `${details.rating} of 5 stars` : null],
    ["Caption", said ? null : details.caption],
    ["Tags", said ? null : details.tags.join(", ")],
    ["Keywords", details.keywords.join(", ")],
    ["Suggested tags", details.suggested_tags.map(({ tag }) => tag).join(", ")],
    ["Copies", details.copies.map(({ name, reason }) => `${name} (${reason})`).join("; ")],
    ["Length", picture.duration_ms === null ? null : duration(picture.duration_ms)],
    [
      "File",
      [
        picture.width && picture.height ? `${picture.width} × ${picture.height}` : null,
        bytes(details.size),
        details.mime,
      ]
        .filter(Boolean)
        .join(" · "),
    ],
    ["About", details.text_keywords.join(", ")],
    ["Text", picture.preview ? details.text : null], // a sheet of text stands beside already
  ];
  return (
    <>
      <dl className="facts">
        {rows
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {details.folders.length > 0 && (
        <section className="folders">
          <h3>In the folders</h3>
          {details.folders.map((folder) => (
            <div key={folder.view}>
              <span>{VIEWS[folder.view] ?? folder.view}</span>
              <CopyPath path={folder.path} label={`Copy the path ${folder.path}`} />
            </div>
          ))}
        </section>
      )}
    </>
  );
}
