/** What is amiss with the rules in force, for whoever runs the installation. */
export {
  AMISS,
  type Amiss,
  lookAtRules,
  NAMED_MAX,
  type RuleAmiss,
  type RulesAmiss,
  unknownFieldIn,
} from './attention.js';
