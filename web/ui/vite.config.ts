import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The built page goes where the web program serves it from; `npm run dev` asks a running one for data.
const program = "http://127.0.0.1:8440";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../havenweb/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { "/api": program, "/t": program, "/o": program },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
