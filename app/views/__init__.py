"""HTTP: the only room that knows requests, the session and the current user. Views read, ask one service, render."""
