import type { Status } from "../api/client";
import { counted, left, number, rate } from "../words/format";

const DOING: Record<string, string> = {
  metadata: "Reading dates and places",
  preview: "Making previews",
  embed: "Looking at pictures",
  faces: "Looking for faces",
  text: "Reading text",
  tags: "Suggesting tags",
};

/** How far indexing is; nothing when all is done. */
export function Progress({ progress }: { progress: Status["progress"] }) {
  if (progress.idle) return null;
  const waiting = progress.stages.reduce((sum, stage) => sum + stage.queued, 0);
  const behind = progress.stages.reduce(
    (s, stage) => s + stage.done + stage.skipped + stage.failed,
    0,
  );
  const share = waiting + behind ? behind / (waiting + behind) : 0;
  const step = progress.stages.findIndex(({ queued }) => queued > 0);
  const stage = progress.stages[step];
  const total = stage ? stage.queued + stage.done + stage.skipped + stage.failed : progress.files;
  const parts = [
    stage && `step ${step + 1} of ${progress.stages.length}`,
    stage
      ? `${number(total - stage.queued)} of ${number(total)}`
      : `${counted(progress.identifying, "new file")} waiting`,
    progress.waits !== null ? `waits: ${progress.waits}` : null,
    progress.waits === null && stage && stage.rate > 0 ? rate(stage.rate) : null,
    progress.waits === null && progress.eta_s !== null && progress.eta_s > 0
      ? left(progress.eta_s)
      : null,
  ];
  return (
    <section className="progress" aria-label="Indexing">
      <p>
        <strong>{stage ? (DOING[stage.stage] ?? stage.stage) : "Looking through the files"}</strong>{" "}
        <span>{parts.filter(Boolean).join(" · ")}</span>
      </p>
      <progress value={share} max={1} aria-label="Indexing progress" />
    </section>
  );
}
