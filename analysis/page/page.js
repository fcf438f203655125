"use strict";
// Arms are shown and hidden together in figures and tables.
document.getElementById("arms").addEventListener("change", function (event) {
  var box = event.target;
  document.querySelectorAll("[data-arm]").forEach(function (e) {
    if (e.getAttribute("data-arm") === box.value) e.classList.toggle("off", !box.checked);
  });
});
// What is folded is printed all the same, for paper cannot be opened.
var folded = [];
addEventListener("beforeprint", function () {
  folded = Array.from(document.querySelectorAll("details:not([open])"));
  folded.forEach(function (e) { e.open = true; });
});
addEventListener("afterprint", function () {
  folded.forEach(function (e) { e.open = false; });
});
// A click on a column's head sorts by it, numbers as numbers; cells without a value come last either way.
document.querySelectorAll("th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var th = button.parentNode, column = th.cellIndex, numeric = th.classList.contains("number");
    var body = th.closest("table").tBodies[0], down = th.getAttribute("aria-sort") === "ascending";
    var rows = Array.from(body.rows).map(function (row) {
      return { row: row, key: row.cells[column].getAttribute("data-key") };
    });
    rows.sort(function (a, b) {
      if ((a.key === "") !== (b.key === "")) return a.key === "" ? 1 : -1;
      var order = numeric ? a.key - b.key : a.key.localeCompare(b.key);
      return down ? -order : order;
    });
    rows.forEach(function (r) { body.appendChild(r.row); });
    th.parentNode.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
  });
});
