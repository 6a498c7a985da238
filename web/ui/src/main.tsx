import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/search.css";
import "./styles/wall.css";
import "./styles/dialogs.css";
import "./styles/history.css";
import "./styles/said.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
