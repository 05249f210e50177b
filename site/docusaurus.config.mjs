import { themes } from 'prism-react-renderer';
import { DESCRIPTION, REPOSITORY } from './pages.mjs';

// Where the site will be. A site that is built without it is a draft, which search engines must not list.
const address = process.env.DOCS_URL ? new URL(process.env.DOCS_URL) : undefined;

/** Colours for code, on a background that stands out from the page. */
const on = (backgroundColor, theme, ...styles) => ({
  plain: { ...theme.plain, backgroundColor },
  styles: [...theme.styles, ...styles],
});

// The themes' own colours of these have too little contrast on those backgrounds.
const DARKER = [
  { types: ['class-name', 'maybe-class-name'], style: { color: '#1b6a80' } },
  { types: ['number', 'variable', 'inserted'], style: { color: '#066a45' } },
];
const LIGHTER = [{ types: ['constant'], style: { color: '#4fc1ff' } }];

/** A wide table scrolls, so the keyboard must reach it. */
function focusableTables() {
  const visit = (node) => {
    if (node.tagName === 'table') node.properties.tabIndex = 0;
    node.children?.forEach(visit);
  };
  return visit;
}

/** @type {import('@docusaurus/types').Config} */
export default {
  title: 'nestjs-session-auth',
  tagline: DESCRIPTION,
  favicon: 'favicon.svg',
  url: address?.origin ?? 'http://localhost:3000',
  baseUrl: address?.pathname ?? '/',
  noIndex: address === undefined,
  trailingSlash: true,
  onBrokenLinks: 'throw',
  onBrokenAnchors: 'throw',
  onDuplicateRoutes: 'throw',
  // The guides are Markdown as GitHub and npm read it, not MDX.
  markdown: { format: 'md', emoji: false, hooks: { onBrokenMarkdownLinks: 'throw', onBrokenMarkdownImages: 'throw' } },
  future: {
    v4: true,
    // A cache could hide that a link is broken by now. Nothing here asks git.
    faster: {
      swcJsLoader: true,
      swcJsMinimizer: true,
      swcHtmlMinimizer: true,
      lightningCssMinimizer: true,
      rspackBundler: true,
      rspackPersistentCache: false,
      mdxCrossCompilerCache: true,
      ssgWorkerThreads: true,
      gitEagerVcs: false,
    },
  },
  plugins: [
    [
      '@docusaurus/plugin-content-docs',
      {
        path: 'content',
        routeBasePath: '/',
        sidebarPath: './sidebars.mjs',
        // a decision's number is a part of its name
        numberPrefixParser: false,
        admonitions: false,
        rehypePlugins: [focusableTables],
      },
    ],
    ['@docusaurus/plugin-sitemap', {}],
  ],
  themes: [
    ['@docusaurus/theme-classic', { customCss: './site.css' }],
    [
      '@easyops-cn/docusaurus-search-local',
      {
        docsRouteBasePath: '/',
        docsDir: 'content',
        indexBlog: false,
        forceIgnoreNoIndex: true,
        explicitSearchResultPath: true,
        // Of the reference: names and what they are for. Their properties would stand before the guides.
        ignoreCssSelectors: [
          'html[class*="docs-doc-id-api/"] h2 ~ :not(h3)',
          'html[class*="/interfaces/"] h2 ~ h3',
          'html[class*="/type-aliases/"] h2 ~ h3',
        ],
      },
    ],
  ],
  themeConfig: {
    colorMode: { respectPrefersColorScheme: true },
    docs: { sidebar: { autoCollapseCategories: false } },
    navbar: {
      title: 'nestjs-session-auth',
      logo: { src: 'favicon.svg', alt: '' },
      items: [
        { type: 'docSidebar', sidebarId: 'guides', label: 'Guides' },
        { type: 'docSidebar', sidebarId: 'reference', label: 'API' },
        { to: '/CHANGELOG', label: 'Changelog', activeBaseRegex: '/CHANGELOG/$' },
        { href: REPOSITORY, label: 'Repository', position: 'right' },
      ],
    },
    prism: {
      theme: on('#f5f6f8', themes.vsLight, ...DARKER),
      darkTheme: on('#26262b', themes.vsDark, ...LIGHTER),
      additionalLanguages: ['bash', 'powershell', 'sql', 'json'],
    },
  },
};
