import { type AlertGroup, alertLines, placeOfAlert, useAlerts } from '../alerts.ts';
import type { Place } from '../question.ts';
import { Menu } from './Menu.tsx';
import { AddressName, SegmentName } from './Named.tsx';
import { PlaceLink } from './tables.tsx';

interface AlertsMenuProps {
  readonly place: Place;
  readonly go: (place: Place) => void;
}

/** Alerts that fire, are about to, or were over a short time ago; nothing where all is well. */
export function AlertsMenu({ place, go }: AlertsMenuProps) {
  const { answer } = useAlerts();
  const lines = answer ? alertLines(answer) : [];
  if (lines.length === 0) return null;
  const firing = lines.filter(({ state }) => state === 'firing').length;
  const words =
    firing > 0 ? `▲ ${firing} ${firing === 1 ? 'alert' : 'alerts'}` : `${lines.length} pending or over`;
  return (
    <div className={firing > 0 ? 'alerts is-firing' : 'alerts'} data-firing={firing}>
      <Menu words={words} testId="alerts">
        <ul className="alert-lines">
          {lines.map((line) => (
            <li key={line.key} data-testid="alert" data-state={line.state}>
              <PlaceLink to={placeOfAlert(place, line)} go={go}>
                <strong>{line.name}</strong>
                <GroupName group={line.group} />
              </PlaceLink>
              <span>{line.words}</span>
              <span className="quiet">{line.since}</span>
            </li>
          ))}
        </ul>
      </Menu>
    </div>
  );
}

function GroupName({ group }: { readonly group: AlertGroup | undefined }) {
  if (!group) return null;
  const { segment, address } = group;
  return (
    <>
      {address !== undefined && (
        <>
          {' '}
          <AddressName address={address} />
        </>
      )}
      {segment !== undefined && (
        <>
          {address === undefined ? ' ' : ', '}
          <SegmentName segment={segment} />
        </>
      )}
    </>
  );
}
