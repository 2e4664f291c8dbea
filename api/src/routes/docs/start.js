// Shows openapi.json, our own code samples, and nothing that would need another server.
const here = new URL(".", location.href).href;

// Some of the library's own colours cannot be read on its own greys (WCAG 2.2, 1.4.3): these can.
const LEGIBLE = `
  .light-mode {
    --scalar-color-3: #6b6b6b;
    --scalar-color-accent: #0067b8;
    --scalar-color-blue: #0067b8;
    --scalar-color-green: #00764a;
    --scalar-color-orange: #a83c00;
    --scalar-color-red: #c40000;
    --scalar-color-yellow: #7a5c00;
  }
  .dark-mode {
    --scalar-color-3: #9a9a9a;
    --scalar-color-red: #ff6b6b;
  }
`;

Scalar.createApiReference("#api", {
  url: `${here}openapi.json`,
  servers: [{ url: here.replace(/\/$/, "") }],
  agent: { disabled: true },
  customCss: LEGIBLE,
  authentication: { preferredSecurityScheme: "bearer" },
  defaultOpenFirstTag: true,
  hiddenClients: true,
  hideClientButton: true,
  mcp: { disabled: true },
  persistAuth: false,
  showDeveloperTools: "never",
  telemetry: false,
  withDefaultFonts: false,
});
