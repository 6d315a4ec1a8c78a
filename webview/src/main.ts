// The bundle's entry: gives the page its styles and defines the panel's elements.

import { page } from "./styles/page";
import "./panel";

if (page.styleSheet !== undefined) document.adoptedStyleSheets = [...document.adoptedStyleSheets, page.styleSheet];
