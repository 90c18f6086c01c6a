/** Each table of the page can be had as CSV. */

export function offerCsv(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-csv]"))
    button.addEventListener("click", () => {
      const table = document.getElementById(button.dataset.csv ?? "");
      if (table instanceof HTMLTableElement) save(`${button.dataset.csv}.csv`, csvOf(table));
    });
}

function csvOf(table: HTMLTableElement): string {
  const rows = [...table.rows].map((row) => [...row.cells].map((cell) => field(cell.textContent ?? "")).join(","));
  return `${rows.join("\r\n")}\r\n`;
}

/** RFC 4180; and nothing that a spreadsheet would run as a formula. */
function field(text: string): string {
  const plain = /^[=+@\t]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
