import { useLayoutEffect, useRef } from "preact/hooks";

const FIELDS = "select, input, textarea, button";

/**
 * Keeps the focus in a group of fields. Where the field or button with the focus is removed, the first one that remains gets
 * it, or the view where none does; otherwise the focus would fall to the page, and keyboard users would start again at its top.
 */
export function useKeptFocus<T extends HTMLElement>() {
  const group = useRef<T>(null);
  const hadFocus = group.current?.contains(document.activeElement) ?? false;
  useLayoutEffect(() => {
    if (hadFocus && document.activeElement === document.body) {
      const field = group.current?.querySelector<HTMLElement>(FIELDS);
      (field ?? document.querySelector("main"))?.focus();
    }
  });
  return group;
}

/** Opens a dialog while it is rendered. Afterwards the focus returns to the button that opened it, or to the view. */
export function useModal() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      // A dialog that is removed while it is open takes the focus with it.
      element?.close();
      if (document.activeElement === document.body) document.querySelector("main")?.focus();
    };
  }, []);
  return dialog;
}
