document.getElementById("menu").textContent = "Home";
