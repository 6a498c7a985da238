/** Drawn for this page: 24 units square, stroked in the colour of the text. Decoration only; the control has the words. */

const SHAPES = {
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13Zm4.700-1.800L20 20",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 8.500h9.500v11H9zM6 15.500H5v-11h9.500v1",
  check: "M5 12.500l4.500 4.500L19 7.500",
  left: "M14.500 5 8 12l6.500 7",
  right: "M9.500 5 16 12l-6.500 7",
  play: "M8.500 5.500v13l10-6.500z",
  folder: "M3.500 6.500h6l2 2.500h9v10h-17z",
  document: "M7 3.500h7l4 4v13H7zM14 3.500v4h4M9.800 12h5.500M9.800 15.500h5.500",
  photo: "M4 5.500h16v13H4zM4.500 16l4.500-4.500 3.500 3.500 3-2.500 4 4M15.500 9.500h.01",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.200 9.300a2.900 2.900 0 1 1 4.300 2.600c-1 .6-1.500 1.100-1.500 2.300M12 17.300v.01",
  history: "M4.500 5.500v4h4M4.800 9.500a8 8 0 1 1-.6 4M12 8v4.500l3 2",
  undo: "M8.500 5 4.500 9l4 4M4.500 9h9a5.500 5.500 0 0 1 0 11h-3",
  redo: "M15.500 5l4 4-4 4M19.500 9h-9a5.500 5.500 0 0 0 0 11h3",
  heart:
    "M12 20S4 15.200 4 9.300A4.300 4.300 0 0 1 12 7a4.300 4.300 0 0 1 8 2.300C20 15.200 12 20 12 20Z",
  star: "M12 4l2.400 5.100 5.600.700-4.100 3.900 1.100 5.500-5-2.800-5 2.800 1.100-5.500L4 9.800l5.600-.700z",
  open: "M10 5H5v14h14v-5M13.500 5H19v5.500M19 5l-8 8",
} as const;

export type Shape = keyof typeof SHAPES;

export function Icon({ shape }: { shape: Shape }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={SHAPES[shape]} />
    </svg>
  );
}
