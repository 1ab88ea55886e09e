// All scenarios, in the order in which they run and are shown.
import { bulkScenarios } from './bulk';
import { churnScenarios } from './churn';
import { fixedRateScenarios } from './fixed-rate';
import { footprintScenarios } from './footprint';
import { roundTripScenarios } from './round-trips';
import { requestScenarios } from './requests';
import type { Scenario } from './scenario';

export const scenarios: readonly Scenario[] = [
  ...roundTripScenarios,
  ...fixedRateScenarios,
  ...bulkScenarios,
  ...churnScenarios,
  ...requestScenarios,
  ...footprintScenarios,
];
