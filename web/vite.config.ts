import { defineConfig } from "vite";

export default defineConfig({
  base: "/",
  build: { outDir: "dist", target: "es2022", sourcemap: false, assetsInlineLimit: 0 },
  server: { proxy: { "/api": "http://127.0.0.1:7878", "/results": "http://127.0.0.1:7878" } },
});
