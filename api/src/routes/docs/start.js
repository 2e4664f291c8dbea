// Shows openapi.json, our own code samples, and nothing that would need another server.
const here = new URL(".", location.href).href;

Scalar.createApiReference("#api", {
  url: `${here}openapi.json`,
  servers: [{ url: here.replace(/\/$/, "") }],
  agent: { disabled: true },
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
