import { Command, EmptyNotice, Request } from "../parts/notices.tsx";

/** Stands in every view of events while there are none. */
export const NoEvents = ({ title }: { title: string }) => (
  <>
    <h1>{title}</h1>
    <EmptyNotice title="No events yet">
      <p>Events are what your users do. Send the first one, then look here again:</p>
      <Request
        path="/apiv1/events"
        body={{ event_type: "button_click", user_id: "user123", properties: { page: "homepage" } }}
      />
      <p>
        Or stop the server, fill an empty database with a made-up product’s ninety days, and start it again:
      </p>
      <Command text="npm run demo" />
    </EmptyNotice>
  </>
);
