// Workers that share the listening socket itself.
import { declareCases } from './_helpers/cluster-cases.js';

declareCases('none');
