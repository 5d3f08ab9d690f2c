import { useEffect, useState } from "preact/hooks";
import { TextField } from "../parts/fields.tsx";
import { useModal } from "../parts/focus.ts";
import { type KeyRequest, onKeyRequest } from "./key-request.ts";
import { type Access, keepKey } from "./keys.ts";

const PURPOSE: Record<Access, string> = {
  open: "",
  read: "To show figures and events, this server asks for a key with read access. An admin key works too.",
  admin: "To change or share anything, this server asks for a key with admin access.",
};

function KeyForm({ request: { access, detail, answer } }: { request: KeyRequest }) {
  const [key, setKey] = useState("");
  const dialog = useModal();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (key.trim() === "") return;
    keepKey(access, key.trim());
    answer(true);
  };
  return (
    <dialog ref={dialog} aria-labelledby="key-title" onCancel={() => answer(false)}>
      <form onSubmit={submit}>
        <h2 id="key-title">A key with {access} access is needed</h2>
        <p>{PURPOSE[access]}</p>
        <p>
          The server says: <q>{detail}</q>
        </p>
        <TextField
          label={`Key with ${access} access`}
          type="password"
          autocomplete="off"
          required
          value={key}
          onValue={setKey}
          hint="Ask the operator of the server. The key is kept in this tab until you close it."
        />
        <div class="actions">
          <button type="submit" class="primary">
            Use this key
          </button>
          <button type="button" onClick={() => answer(false)}>
            Continue without
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Asks for a key whenever a request needs one. */
export function KeyDialog() {
  const [request, setRequest] = useState<KeyRequest | undefined>();
  useEffect(() => onKeyRequest(setRequest), []);
  return request === undefined ? null : <KeyForm key={request.detail + request.access} request={request} />;
}
