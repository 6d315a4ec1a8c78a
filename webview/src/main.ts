// The bundle's entry: gives the page its words and its styles and defines the panel's elements.

// Before the panel: its parts have words in constants.
import "./words";
import { page } from "./styles/page";
import "./panel";

if (page.styleSheet !== undefined) document.adoptedStyleSheets = [...document.adoptedStyleSheets, page.styleSheet];
