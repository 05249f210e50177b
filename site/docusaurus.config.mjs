import { themes } from 'prism-react-renderer';
import { DESCRIPTION, REPOSITORY } from './pages.mjs';

// Where the site will be. A site that is built without it is a draft, which search engines must not list.
const address = process.env.DOCS_URL ? new URL(process.env.DOCS_URL) : undefined;

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
        { type: 'doc', docId: 'CHANGELOG', label: 'Changelog' },
        { href: REPOSITORY, label: 'Repository', position: 'right' },
      ],
    },
    prism: { theme: themes.github, darkTheme: themes.vsDark, additionalLanguages: ['bash', 'sql', 'json'] },
  },
};
