import { useState } from "react";

import { type Details, type Done, Refused, say } from "../api/client";
import { sentence } from "../words/format";
import { Icon } from "./Icon";

interface Props {
  details: Details;
  /** Something was decided: what is known of the asset has changed. */
  onSaid: () => void;
}

const STARS = [1, 2, 3, 4, 5];

/** What people say of one asset, to be said otherwise: a favorite, stars, a caption, tags. */
export function Said({ details, onSaid }: Props) {
  const { id } = details.picture;
  const [refused, setRefused] = useState("");

  const tell = async (said: Promise<Done>) => {
    setRefused("");
    try {
      await said;
      onSaid();
    } catch (error) {
      setRefused(sentence(error instanceof Refused ? error.message : String(error)));
    }
  };

  return (
    <section className="said" aria-label="What you say of it">
      <div className="worth">
        <button
          type="button"
          className="quiet round heart"
          aria-label="Favorite"
          aria-pressed={details.favorite}
          onClick={() => void tell(say.favorite(id, !details.favorite))}
        >
          <Icon shape="heart" />
        </button>
        <Stars stars={details.rating} onRate={(stars) => void tell(say.rating(id, stars))} />
      </div>
      <Line
        label="Caption"
        hint="Add a caption"
        text={details.caption ?? ""}
        onWrite={(text) => void tell(say.caption(id, text))}
      />
      <Line
        label="Tags"
        hint="Add tags, such as animals/dog, garden"
        text={details.tags.join(", ")}
        onWrite={(text) => void tell(say.tags(id, text.split(",")))}
      />
      {refused && <p role="alert">{refused}</p>}
    </section>
  );
}

function Stars({ stars, onRate }: { stars: number | null; onRate: (stars: number) => void }) {
  const now = stars ?? 0;
  return (
    <div role="group" className="stars" aria-label={`Rating: ${now} of 5 stars`}>
      {STARS.map((star) => (
        <button
          key={star}
          type="button"
          className="quiet"
          aria-label={star === now ? "No rating" : `${star} of 5 stars`}
          data-lit={star <= now || undefined}
          onClick={() => onRate(star === now ? 0 : star)}
        >
          <Icon shape="star" />
        </button>
      ))}
    </div>
  );
}

interface LineProps {
  label: string;
  hint: string;
  text: string;
  onWrite: (text: string) => void;
}

/** One line that is written when Enter is pressed in it or it is left. */
function Line({ label, hint, text, onWrite }: LineProps) {
  const [typed, setTyped] = useState({ text, of: text });
  if (typed.of !== text) setTyped({ text, of: text }); // it was said otherwise

  const write = () => {
    if (typed.text.trim() !== text) onWrite(typed.text.trim());
  };

  return (
    <form
      className="line"
      onSubmit={(event) => {
        event.preventDefault();
        write();
      }}
    >
      <label>
        <span>{label}</span>
        <input
          type="text"
          placeholder={hint}
          autoComplete="off"
          value={typed.text}
          onChange={(event) => setTyped({ ...typed, text: event.target.value })}
          onBlur={write}
        />
      </label>
    </form>
  );
}
