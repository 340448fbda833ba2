import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  base: "./",
  build: {
    outDir: "../monitor/static",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "login.html"] },
    license: { fileName: "third-party-licenses.md" },
  },
  server: {
    proxy: {
      "/live": { target: "ws://127.0.0.1:8844", ws: true },
      "/api": "http://127.0.0.1:8844",
    },
  },
});
