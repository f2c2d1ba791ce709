import { severalNodes } from './several-nodes.js';

severalNodes();
