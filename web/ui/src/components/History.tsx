import { useState } from "react";

import { type Decided, type Session, Refused, undo } from "../api/client";
import { useHistory } from "../hooks/useHistory";
import { clock, day, sentence } from "../words/format";
import { Icon } from "./Icon";
import { Panel } from "./Panel";

interface Props {
  session: Session | null;
  /** Moves when the library changes. */
  generation: number;
  onChanged: () => void;
  onClose: () => void;
}

interface Trouble {
  id: string;
  message: string;
  /** Whether a part of it can be taken back all the same. */
  partly: boolean;
}

/** What was decided, by day, each with a way back. */
export function History({ session, generation, onChanged, onClose }: Props) {
  const [round, setRound] = useState(0);
  const { operations, more, error, earlier } = useHistory(generation + round);
  const [busy, setBusy] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  const turn = async ({ id, taken_back }: Decided, rest: boolean) => {
    if (busy !== null) return;
    setBusy(id);
    setTrouble(null);
    setSaid("");
    try {
      const done = await undo(taken_back?.id ?? id, rest);
      if (done.id === null) setTrouble({ id, message: sentence(done.words), partly: false });
      else setSaid(sentence(done.words));
      setRound((last) => last + 1);
      onChanged();
    } catch (failed) {
      const { message, code } =
        failed instanceof Refused ? failed : new Refused(String(failed), "unknown");
      setTrouble({ id, message: sentence(message), partly: code === "conflict" && !rest });
    } finally {
      setBusy(null);
    }
  };

  return (
    <Panel name="history" title="History" onClose={onClose}>
      {session && !session.owner && <p className="locked">{session.how}</p>}
      <p role="status" className="hidden">
        {said}
      </p>
      {error && <p role="alert">{error.message}</p>}
      {operations?.length === 0 && (
        <p className="nothing">
          Nothing was decided yet. What people name, tag, rate, sort into albums, file or remove
          stands here, and can be taken back.
        </p>
      )}
      {days(operations ?? []).map(([name, members]) => (
        <section key={name} aria-label={name}>
          <h3>{name}</h3>
          <ol>
            {members.map((one) => (
              <Entry
                key={one.id}
                decided={one}
                owner={session?.owner ?? false}
                busy={busy === one.id}
                trouble={trouble?.id === one.id ? trouble : null}
                onTurn={(rest) => void turn(one, rest)}
              />
            ))}
          </ol>
        </section>
      ))}
      {more && (
        <button type="button" className="button" onClick={earlier}>
          Earlier
        </button>
      )}
    </Panel>
  );
}

interface EntryProps {
  decided: Decided;
  owner: boolean;
  busy: boolean;
  trouble: Trouble | null;
  onTurn: (rest: boolean) => void;
}

function Entry({ decided, owner, busy, trouble, onTurn }: EntryProps) {
  const { words, by, at_ms, taken_back: back, free, thumbnails } = decided;
  const what = sentence(words);
  const verb = back ? "Redo" : "Undo";
  return (
    <li data-undone={back !== null || undefined}>
      <span className="shots" data-count={thumbnails.length}>
        {thumbnails.length === 0 && <Icon shape="check" />}
        {thumbnails.map((address) => (
          <img key={address} src={address} alt="" loading="lazy" decoding="async" />
        ))}
      </span>
      <div>
        <p>{back ? <s>{what}</s> : what}</p>
        <small>
          {clock(at_ms)} · {by}
          {back &&
            ` · taken back ${day(back.at_ms).toLowerCase()} ${clock(back.at_ms)} by ${back.by}`}
          {owner && !free && " · something later stands in the way"}
        </small>
      </div>
      {owner && (
        <button
          type="button"
          className="button"
          aria-label={`${verb}: ${what}`}
          aria-disabled={busy}
          onClick={() => onTurn(false)}
        >
          <Icon shape={back ? "redo" : "undo"} />
          <span>{verb}</span>
        </button>
      )}
      {trouble && (
        <div className="refused" role="alert">
          {trouble.message}
          {trouble.partly && (
            <button type="button" className="example" onClick={() => onTurn(true)}>
              {verb} what is left of it
            </button>
          )}
        </div>
      )}
    </li>
  );
}

/** The operations under their days, newest first. */
function days(all: readonly Decided[]): [string, Decided[]][] {
  const found = new Map<string, Decided[]>();
  for (const one of all) {
    const name = day(one.at_ms);
    found.set(name, [...(found.get(name) ?? []), one]);
  }
  return [...found];
}
