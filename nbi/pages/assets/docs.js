// Starts Swagger UI on the document of this server. Whoever has logged in by a page may try changes: they show the session's token.

const tokenOf = () => /(?:^|; )csrftoken=([\w-]+)/.exec(document.cookie)?.[1];

window.SwaggerUIBundle({
  url: '/v1/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  // Nothing is sent elsewhere to be checked.
  validatorUrl: null,
  requestInterceptor(request) {
    const token = tokenOf();
    const isOwn = new URL(request.url, location.href).origin === location.origin;
    if (token !== undefined && isOwn) {
      request.headers['X-CSRF-Token'] = token;
      request.headers['X-CSRFToken'] = token;
    }
    return request;
  },
});
