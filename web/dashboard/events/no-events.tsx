import { Command, EmptyNotice, Request } from "../parts/notices.tsx";

/** Shown in every view of events while there are none. */
export const NoEvents = ({ title }: { title: string }) => (
  <>
    <h1>{title}</h1>
    <EmptyNotice title="No events yet">
      <p>Events record what your users do. Send the first one, then reload this page:</p>
      <Request
        path="/apiv1/events"
        body={{ event_type: "button_click", user_id: "user123", properties: { page: "homepage" } }}
      />
      <p>Or stop the server, fill an empty database with ninety days of demo data, and start it again:</p>
      <Command text="npm run demo" />
    </EmptyNotice>
  </>
);
