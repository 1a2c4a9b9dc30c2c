// Beyond loopback the service wants its token for what people wrote; this tab remembers it.

export async function fetchWithToken(path, options = {}) {
  const token = sessionStorage.getItem("token");
  const headers = { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(path, { ...options, headers });
  return answer.status === 401 && askForToken() ? fetchWithToken(path, options) : answer;
}

function askForToken() {
  const token = prompt("The service's token, which it printed when it started:");
  if (token) sessionStorage.setItem("token", token.trim());
  return Boolean(token);
}
