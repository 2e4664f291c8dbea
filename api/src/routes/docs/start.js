// Shows openapi.json, our own code samples, and nothing that would need another server.
Scalar.createApiReference("#api", {
  url: "openapi.json",
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
