document.addEventListener("keydown", (event) => { if (event.key === "/") event.preventDefault(); });
